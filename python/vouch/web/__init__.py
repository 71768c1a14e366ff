"""What every HTTP service here needs: a listener, bounded bodies, the token, errors as JSON."""
