package orderclient_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/infrastructure/orderclient"
)

// What says who calls goes to the service that was named, and not to where that would send the client.
func TestCredentials(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another server was asked, with %v", r.Header)
	}))
	defer elsewhere.Close()
	var got http.Header
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}))
	defer service.Close()
	for name, tt := range map[string]struct {
		as         orderclient.Credentials
		token, key string
	}{
		"a token": {orderclient.Credentials{Token: "t"}, "Bearer t", ""},
		"a key":   {orderclient.Credentials{APIKey: "k"}, "", "k"},
	} {
		client, err := orderclient.New(service.URL, tt.as)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Place(t.Context(), make([]ordering.Place, 1))
		client.Close()
		if err == nil || !strings.Contains(err.Error(), "307") {
			t.Errorf("%s: the redirect is not told: %v", name, err)
		}
		if got.Get("Authorization") != tt.token || got.Get("X-Api-Key") != tt.key {
			t.Errorf("%s: sent %v", name, got)
		}
	}
}
