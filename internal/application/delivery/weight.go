package delivery

// weigh returns about how many bytes of memory a message keeps in use; 0 for one without events.
func weigh(m *Message) int {
	if len(m.Events) == 0 {
		return 0
	}
	n := m.Order.View().Weight()
	for i := range m.Events {
		n += m.Events[i].Size()
	}
	return n
}
