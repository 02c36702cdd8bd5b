"""Many peers: finding them, keeping them, and one service to start and stop it all."""
