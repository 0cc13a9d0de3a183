package config_test

import (
	"strings"
	"testing"

	"order-processing-service/internal/bootstrap/config"
)

// TestWhereKeysComeFrom: nobody on the way may be able to change them.
func TestNoSignInOfAnAddressIsShown(t *testing.T) {
	_, err := config.Load(config.Source{Environ: []string{"JWT_JWKS_URL=https://user:hunter2@idp.example/keys"}})
	if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "https://…@idp.example/keys") ||
		!strings.Contains(err.Error(), "without user, password") {
		t.Errorf("the error is %v", err)
	}
}

func TestWhereKeysComeFrom(t *testing.T) {
	for address, right := range map[string]bool{
		"https://issuer.example/keys": true, "http://127.0.0.1:8080/keys": true, "http://[::1]/keys": true, "http://localhost/keys": true,
		"http://issuer.example/keys": false, "http://127.0.0.1.example/": false, "http://localhost.example/": false, "ftp://127.0.0.1/": false,
		"https://": false, "https://user:password@issuer.example/": false, "issuer.example": false, "file:///etc/passwd": false,
		"http://10.0.0.1/": false, "https://issuer.example/#keys": false, "https://:443/keys": false,
	} {
		_, err := config.Load(config.Source{Environ: []string{"JWT_JWKS_URL=" + address}})
		if (err == nil) != right {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestAuthSettings holds what AUTH asks for, a line for each thing that is missing or too much.
func TestAuthSettings(t *testing.T) {
	const jwt = "AUTH=jwt JWT_ISSUER=i JWT_AUDIENCE=a "
	for settings, want := range map[string][]string{
		"AUTH=jwt":                                          {"JWT_ISSUER; give", "JWT_AUDIENCE; give", "set one of JWT_JWKS_URL, JWT_JWKS_FILE and JWT_PUBLIC_KEY_FILE"},
		jwt + "JWT_JWKS_FILE=f":                             nil,
		jwt + "JWT_PUBLIC_KEY_FILE=f":                       nil,
		jwt + "JWT_JWKS_URL=https://i/k":                    nil,
		jwt + "JWT_JWKS_URL=https://i/k JWT_JWKS_CA_FILE=f": nil,
		jwt + "JWT_JWKS_FILE=f JWT_JWKS_CA_FILE=f":          {"JWT_JWKS_CA_FILE is of use with JWT_JWKS_URL only"},
		jwt + "JWT_JWKS_FILE=f JWT_PUBLIC_KEY_FILE=f":       {"more than one of JWT_JWKS_URL"},
		jwt + "JWT_JWKS_FILE=f API_KEYS_FILE=f":             nil,
		"AUTH=keys":                                         {"AUTH=keys needs API_KEYS_FILE"},
		"AUTH=keys API_KEYS_FILE=f":                         nil,
		"AUTH=gateway":                                      nil,
		"API_KEYS_FILE=f":                                   {"AUTH=none lets everybody in"},
		"AUTH=JWT":                                          {`AUTH="JWT" (environment): give none, jwt, gateway or keys, such as none`},
		"APP_ENV=prod":                                      {"give development, test, staging or production"},
		"LOG_SUBJECT=none":                                  {"give plain or hash"},
		"ORDERS_TOKEN=t ORDERS_API_KEY=k1":                  {"keep one of them"},
	} {
		_, err := config.Load(config.Source{Environ: strings.Fields(settings)})
		text := ""
		if err != nil {
			text = err.Error() + "\n"
		}
		if strings.Count(text, "\n") != len(want) {
			t.Errorf("%s: %s", settings, text)
		}
		for _, line := range want {
			if !strings.Contains(text, line) {
				t.Errorf("%s: no %q in %s", settings, line, text)
			}
		}
	}
}
