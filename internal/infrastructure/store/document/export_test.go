package document

// The ways of reading an order.
var (
	QuickOrder     = quickOrder
	AnyOrder       = anyOrder
	QuickOrderBSON = quickOrderBSON
	AnyOrderBSON   = anyOrderBSON
)
