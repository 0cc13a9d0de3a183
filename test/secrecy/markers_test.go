package secrecy_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"order-processing-service/test/secrecy"
)

// TestDetector proves that what is not kept to itself is found: everything else here passes when nothing is.
func TestDetector(t *testing.T) {
	var m secrecy.Markers
	token, price := m.Text("the token"), m.Number("the price")
	base := func(before string) string { return base64.StdEncoding.EncodeToString([]byte(before + token + "!")) }
	for name, text := range map[string]string{
		"alone": token, "in capitals": strings.ToUpper(token), "in a sentence": "can't read " + token + ": no",
		"cut": token[:len(token)-3], "quoted": strconv.Quote(token), "in a URL": "/x?y=" + url.QueryEscape(token+"/"),
		"hexadecimal": hex.EncodeToString([]byte("a" + token)), "as Basic of 1": base(":"), "as Basic of 5": base("root:"), "as Basic of 6": base("orders:"),
		"in base64url": base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"` + token + `"}`)), "a number": "total " + price,
		"a number in minor units": strings.ReplaceAll(price, ".", ""), "bytes": fmt.Sprintf("%x", token),
	} {
		var out strings.Builder
		log := slog.New(slog.NewJSONHandler(&out, nil))
		log.Info("nothing here")
		log.Info("on purpose", "value", text)
		seen := m.Seen(out.String())
		if len(seen) != 1 || !strings.Contains(seen[0].Line, "on purpose") {
			t.Errorf("%s: %v is seen in\n%s", name, seen, out.String())
		}
	}
	if seen := m.Seen(token + " and " + m.Text("the key") + "\n" + token); len(seen) != 3 || seen[0].Place != "the key" || seen[1].Place != "the token" {
		t.Errorf("seen: %v", seen)
	}
	if seen := m.Seen("request 4bf92f3577b34da6a3ce929d0e0e4736 POST /orders 201\n"); len(seen) != 0 {
		t.Errorf("seen where none is: %v", seen)
	}
}
