"""What watching promises, measured: false pages, delays, and the promises that monitors show."""
