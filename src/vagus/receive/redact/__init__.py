"""Redaction before storage: secrets always, personal data where a project asks for it."""
