"""The Gaussian family, in fourteen covariance structures."""
