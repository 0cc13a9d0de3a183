package e2e_test

import (
	"sync"
	"testing"

	"order-processing-service/test/mongodb"
	"order-processing-service/test/proxy"
)

// onMongoDB keeps orders in a database of the server that TEST_MONGO_URI names; without one the test is skipped.
func onMongoDB() store {
	var networks sync.Map // *proxy.Proxy by the test's folder
	network := func(t *testing.T, dir string) *proxy.Proxy {
		t.Helper()
		between, _ := networks.Load(dir)
		network, ok := between.(*proxy.Proxy)
		if !ok {
			t.Fatal("no network leads to the store")
		}
		return network
	}
	return store{
		name: "mongodb",
		settings: func(t *testing.T, dir string) map[string]string {
			t.Helper()
			server := mongodb.Need(t)
			between, uri := server.Proxied(t)
			networks.Store(dir, between)
			return map[string]string{"MONGO_URI": uri, "MONGO_DB": server.Database(t).Name()}
		},
		lose: func(t *testing.T, dir string) (giveBack func()) {
			t.Helper()
			cut := network(t, dir)
			cut.Cut()
			return cut.Heal
		},
		network: network,
	}
}
