"""The request form between its pages. Answers are kept as they were typed, by question; nothing here does I/O."""
