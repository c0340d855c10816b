"""One function a command or event: load, decide, save, append. The caller owns the transaction."""
