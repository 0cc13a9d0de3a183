module order-processing-service

go 1.26.0

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/google/go-cmp v0.7.0
	github.com/govalues/decimal v0.1.36
	pgregory.net/rapid v1.3.0
)
