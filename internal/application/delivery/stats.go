package delivery

// Stats counts what a dispatcher has done for one subscriber since it was made.
type Stats struct {
	Subscriber string
	// InHand is how many orders wait, are being told or are being settled right now.
	InHand int
	// Bytes is about how much memory their orders and events take; see Config.QueueBytes.
	Bytes int
	// Told counts events; repeats count again.
	Told uint64
	// Retried and Parked count failed deliveries by what became of them; Waits those that found the
	// subscriber away as a whole.
	Retried, Parked, Waits uint64
	// Rests: the subscriber is away as a whole, and is left alone at the moment.
	Rests bool
}

// Stats returns the present counts, for each subscriber in the order of the configuration.
func (d *Dispatcher) Stats() []Stats {
	stats := make([]Stats, len(d.queues))
	for i, q := range d.queues {
		stats[i] = Stats{
			Subscriber: q.name, InHand: int(q.size.Load()), Bytes: q.weighs(),
			Told: q.told.Load(), Retried: q.retried.Load(), Parked: q.parked.Load(),
			Waits: q.waits.Load(), Rests: q.rests(),
		}
	}
	return stats
}
