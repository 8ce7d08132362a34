"""Where rows come from; the only folder that knows pandas."""
