package order

// About what the parts of an order take in memory besides their texts, in bytes.
const (
	orderWeight  = 1 << 10
	lineWeight   = 192
	recordWeight = 192 // a payment, fulfillment, return, request or key of metadata
	partWeight   = 16  // a line of a fulfillment or return
)

// Weight is about how many bytes of memory the order takes, without its events.
func (s *Snapshot) Weight() int {
	n := orderWeight + len(s.CustomerID) + len(s.Reference)
	for i := range s.Lines {
		n += lineWeight + len(s.Lines[i].SKU) + len(s.Lines[i].Name)
	}
	for key, value := range s.Metadata {
		n += recordWeight + len(key) + len(value)
	}
	n += recordWeight * (len(s.Payments) + len(s.Fulfillments) + len(s.Returns) + len(s.Requests))
	for i := range s.Fulfillments {
		n += partWeight * len(s.Fulfillments[i].Lines)
	}
	for i := range s.Returns {
		n += partWeight * len(s.Returns[i].Lines)
	}
	return n
}
