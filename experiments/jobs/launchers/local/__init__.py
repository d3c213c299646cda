"""Jobs as processes of this machine: who starts next (`slots`), what runs one (`supervisor`), what its files say."""
