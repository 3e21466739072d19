"""The built-in evaluators, none of which needs a model call."""
