"""Many peers: finding them, keeping them, and one service to start and stop it all.

`compose.peer_service` stands here and not in `net`, which knows one peer at a
time: a service that finds its peers needs everything else in this folder.
"""
