"""Answers: the editor with what it draws from, approvals, and letters to print."""
