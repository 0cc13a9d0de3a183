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
	return store{
		name: "mongodb",
		settings: func(t *testing.T, dir string) map[string]string {
			t.Helper()
			server := mongodb.Need(t)
			network, uri := server.Proxied(t)
			networks.Store(dir, network)
			return map[string]string{"MONGO_URI": uri, "MONGO_DB": server.Database(t).Name(), "MONGO_TIMEOUT": "3s"}
		},
		lose: func(t *testing.T, dir string) (giveBack func()) {
			t.Helper()
			network, _ := networks.Load(dir)
			cut, ok := network.(*proxy.Proxy)
			if !ok {
				t.Fatal("no network leads to the store")
			}
			cut.Cut()
			return cut.Heal
		},
	}
}
