"""Clients of the window's services for programs elsewhere. They know the interface descriptions, no code of ours."""
