"""Pure statistics: intervals, sketches, sequential tests, change points; numbers in, numbers out."""
