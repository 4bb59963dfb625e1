"""What each command does, as far as it is more than building parts."""
