"""Request and response bodies of risk."""
