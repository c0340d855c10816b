"""The flow of events: outbox and relay on the way out, inbox, waves and holding on the way in."""
