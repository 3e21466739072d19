"""What people and other programs see: REST, SQL, exports and the web page."""
