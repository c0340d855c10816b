"""What people, programs and strangers may send by mistake or on purpose; `python -m tests.misuse` is the long run."""
