"""Raw requests and responses of model providers, read as OTel GenAI attributes."""
