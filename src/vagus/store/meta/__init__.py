"""Objects that people edit: projects, keys, users, monitors, incidents; SQLite or PostgreSQL."""
