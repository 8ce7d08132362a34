"""FitResult → files, each complete or absent."""
