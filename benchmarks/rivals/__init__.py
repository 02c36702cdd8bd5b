"""What bitpeer is compared with.  Whoever is not installed is left out, and the table says so."""
