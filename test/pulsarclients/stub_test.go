package pulsarclients

func javaIsOff() bool { return true }
func stopJava()       {}
