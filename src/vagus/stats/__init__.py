"""Pure statistics, numbers in and numbers out: intervals, sketches, sequential tests, change."""
