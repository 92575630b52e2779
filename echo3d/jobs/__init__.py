"""Long work in other processes: they outlive the window, can be cancelled, and go on where they were killed."""
