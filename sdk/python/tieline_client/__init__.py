"""Clients of Tieline's HTTP dialects, a package each, and the verification of its webhooks."""
