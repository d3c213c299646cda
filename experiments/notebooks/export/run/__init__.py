"""A notebook run in a process of its own, which may launch nothing: started, listened to, and ended where it hangs."""
