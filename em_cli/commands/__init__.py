"""The commands of `em`, one file each."""
