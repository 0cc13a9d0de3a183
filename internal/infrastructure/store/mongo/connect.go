package mongo

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"order-processing-service/internal/domain/fault"
)

// Server says where MongoDB is and who signs in there.
type Server struct {
	// URI is a connection string; it wins over Host, Port, User, Password and AuthSource. "" for none.
	URI string
	// URIName is what errors call the URI: the setting or flag that gave it; "" means MONGO_URI.
	URIName string
	// Host and Port are used without a URI.
	Host string
	Port int
	// User signs in with Password, by what the database AuthSource knows; "" for no sign-in.
	User, Password, AuthSource string
	// SignInURI lets User sign in, too, where the URI names nobody.
	SignInURI bool
	// TLS asks for a connection that nobody can read.
	TLS bool
	// CAFile is a PEM file with the authorities that vouch for the server; it asks for TLS as well. ""
	// means those of the system.
	CAFile string
	// MaxPoolSize is how many connections there may be to each server; 0 means 100.
	MaxPoolSize int
}

// Options are the server's as the driver takes them, and the database that the URI names, "" for none.
// The error says which part is wrong and shows no secret.
func (s Server) Options() (o *options.ClientOptions, database string, err error) {
	o = options.Client()
	if s.URI != "" {
		if database, err = s.applyURI(o); err != nil {
			return nil, "", err
		}
	} else {
		o.SetHosts([]string{net.JoinHostPort(s.Host, strconv.Itoa(s.Port))})
		if s.User != "" {
			o.SetAuth(options.Credential{Username: s.User, Password: s.Password, PasswordSet: true, AuthSource: s.AuthSource})
		}
	}
	if s.MaxPoolSize > 0 {
		o.SetMaxPoolSize(uint64(s.MaxPoolSize))
	}
	if s.TLS || s.CAFile != "" {
		config, err := s.tls(o.TLSConfig)
		if err != nil {
			return nil, "", err
		}
		o.SetTLSConfig(config)
	}
	return o, database, nil
}

// applyURI reads the connection string. What the driver says of a bad one may quote the password, so it
// is not passed on.
func (s Server) applyURI(o *options.ClientOptions) (database string, err error) {
	name := cmp.Or(s.URIName, "MONGO_URI")
	parsed, err := connstring.Parse(s.URI)
	if err != nil {
		if _, ok := errors.AsType[*net.DNSError](err); ok {
			return "", fmt.Errorf("the servers that %s stands for can't be looked up: check its host name, and DNS", name)
		}
		return "", errors.New(name + " can't be read: give a connection string such as mongodb://user:password@host:27017/orders_db, " +
			"with each of :/?#[]@% in the user or password written as % and two hexadecimal digits")
	}
	o.ApplyURI(s.URI)
	if s.SignInURI && s.User != "" && o.Auth == nil {
		o.SetAuth(options.Credential{Username: s.User, Password: s.Password, PasswordSet: true, AuthSource: cmp.Or(parsed.AuthSource, s.AuthSource)})
	}
	return parsed.Database, nil
}

// tls adds what the settings ask for to what the connection string does, a client certificate say.
func (s Server) tls(ofURI *tls.Config) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ofURI != nil {
		config = ofURI.Clone()
		config.MinVersion = tls.VersionTLS12
	}
	if s.CAFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("MONGO_TLS_CA_FILE can't be read: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("MONGO_TLS_CA_FILE: %s holds no certificate in PEM form", s.CAFile)
	}
	return config, nil
}

// Target is the server without who signs in, for people.
func (s Server) Target() string {
	if s.URI == "" {
		return net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	}
	parsed, err := connstring.Parse(s.URI)
	if err != nil {
		return "MONGO_URI"
	}
	return strings.Join(parsed.Hosts, ",")
}

// connectFault is the error of a client that can't be made.
func connectFault(err error) error {
	return fault.Wrap(fmt.Errorf("mongo: connect: %w", err), fault.Unavailable, codeUnreachable,
		"MongoDB can't be used with these settings; check MONGO_URI and the other MONGO_ variables")
}

// minWireVersion is that of MongoDB 4.4, the oldest that the driver speaks with.
const minWireVersion = 9

// watchVersion notes whether a server is too old. The driver refuses to use it then, with an error that
// has no type of its own.
func (s *Store) watchVersion() *event.ServerMonitor {
	return &event.ServerMonitor{ServerDescriptionChanged: func(e *event.ServerDescriptionChangedEvent) {
		if e.NewDescription.MaxWireVersion > 0 {
			s.tooOld.Store(e.NewDescription.MaxWireVersion < minWireVersion)
		}
	}}
}

// atStart says in one line what to do about what keeps a store from being opened.
func atStart(err error) error {
	code := fault.Of(err).Code
	message, ok := map[string]string{
		codeSignIn: "MongoDB refuses the sign-in: check MONGO_USER, MONGO_PASSWORD and MONGO_AUTH_SOURCE, or those in MONGO_URI",
		codeRight: "MongoDB does not let this user work on the collection orders: give it the role readWrite on the database, " +
			"or sign in (MONGO_USER, MONGO_PASSWORD)",
		codeTooOld:      "MongoDB is too old: version 4.4 or newer is needed",
		codeUnreachable: "MongoDB can't be reached: check that it runs, and MONGO_HOST and MONGO_PORT, or MONGO_URI",
	}[code]
	if !ok {
		return err
	}
	return fault.Wrap(errors.Unwrap(fault.Of(err)), fault.Unavailable, code, message)
}
