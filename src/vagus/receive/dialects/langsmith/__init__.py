"""LangSmith's own protocol: runs and feedback, in batches, multipart forms and single requests."""
