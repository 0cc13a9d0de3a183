package mongo

import "testing"

// What the settings ask of TLS is added to what the connection string asks.
func TestTLSOfTheConnectionStringStays(t *testing.T) {
	o, _, err := Server{URI: "mongodb://db/?tls=true&tlsInsecure=true", TLS: true}.Options()
	if err != nil || o.TLSConfig == nil || !o.TLSConfig.InsecureSkipVerify || o.TLSConfig.MinVersion == 0 {
		t.Errorf("options %+v, %v", o.TLSConfig, err)
	}
}
