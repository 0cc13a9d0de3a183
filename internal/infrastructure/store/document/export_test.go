package document

// The two ways of reading an order.
var (
	QuickOrder = quickOrder
	AnyOrder   = anyOrder
)
