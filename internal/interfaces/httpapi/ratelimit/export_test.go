package ratelimit

// Known returns how many callers are kept.
func (l *Limiter) Known() (n int) {
	for i := range shards {
		n += len(l.named[i].until) + len(l.unnamed[i].until)
	}
	return n
}
