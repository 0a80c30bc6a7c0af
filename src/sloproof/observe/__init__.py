"""What each observer saw of a trial, as counts of good and total events per objective."""
