"""Who may do what: keys, people, sessions and the checks on a request."""
