"""What stands in the documents that runs write: dictionaries whose fields say what they hold."""
