package config

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Secrets reads secrets by their ids, in the order asked for, each as the text that is kept. Its error is for the operator
// and shows no value.
type Secrets func(ids []string) (texts []string, err error)

// The variables that name secrets. They can't stand in one.
const (
	mongoSecretID = "MONGO_SECRET_ID"
	secretsID     = "SECRETS_ID"
)

// maxSecrets is how many secrets SECRETS_ID may name.
const maxSecrets = 10

// SecretIDs are the secrets that these settings name, that of MongoDB first.
func (c *Config) SecretIDs() []string {
	var ids []string
	if c.MongoSecretID != "" {
		ids = append(ids, c.MongoSecretID)
	}
	if c.SecretsID != "" {
		ids = append(ids, strings.Split(c.SecretsID, ",")...)
	}
	return ids
}

// IsSecret reports whether the value in force of a variable comes from a secret.
func (c *Config) IsSecret(name string) bool { return c.text(name).secret }

// MayChange reports whether a value may be another one when it is read again: there are secrets, or files that NAME_FILE
// names.
func (c *Config) MayChange() bool {
	if len(c.SecretIDs()) > 0 {
		return true
	}
	return slices.ContainsFunc(c.settings, func(s Setting) bool { return c.text(s.Name).file })
}

// Reload reads the secrets and the files that NAME_FILE names again, and checks everything anew. Command line, environment
// and .env file are what they were for Load.
func (c *Config) Reload(read Secrets) (*Config, error) { return c.reload(read) }

// Differences names the variables whose values are not the same in two configurations, in the order of Config's fields.
func (c *Config) Differences(other *Config) []string {
	var names []string
	for _, s := range c.settings {
		if c.text(s.Name).value != other.text(s.Name).value {
			names = append(names, s.Name)
		}
	}
	return names
}

// secretLayers reads the secrets that the layers above name. Names that can't be are left to check.
func (l *loading) secretLayers(read Secrets) ([]layer, error) {
	ofMongo, others := string(l.values[mongoSecretID].value), string(l.values[secretsID].value)
	ids := (&Config{MongoSecretID: ofMongo, SecretsID: others}).SecretIDs()
	if len(ids) == 0 || strings.Count(others, ",") >= maxSecrets || !areSecretIDs(ids) {
		return nil, nil
	}
	if read == nil {
		l.unread = true
		return nil, nil
	}
	texts, err := read(ids)
	if err != nil {
		return nil, err
	}
	var layers []layer
	var problems []error
	for i, text := range texts {
		isMongo := i == 0 && ofMongo != ""
		found, warnings, err := l.secretLayer(ids[i], text, isMongo)
		layers, problems = append(layers, found), append(problems, err)
		l.warnings = append(l.warnings, warnings...)
	}
	return layers, errors.Join(problems...)
}

var secretID = regexp.MustCompile(`^[A-Za-z0-9/_+=.@:-]+$`)

func areSecretIDs(ids []string) bool {
	return !slices.ContainsFunc(ids, func(id string) bool { return len(id) > 1000 || !secretID.MatchString(id) })
}

// secretLayer makes a layer of a secret. Its messages name keys, and never show a value.
func (l *loading) secretLayer(id, text string, isMongo bool) (found layer, warnings []string, err error) {
	found = layer{source: "secret " + id, secret: true}
	if trimmed := strings.TrimSpace(text); isMongo && !strings.HasPrefix(trimmed, "{") {
		found.values = plain(trimmed)
		return found, nil, nil
	}
	members, err := textsOf(id, text)
	if err != nil {
		return found, nil, err
	}
	if isMongo {
		translate(members)
	}
	found.values = make(map[string]string, len(members))
	known := make([]string, 0, len(l.table))
	for _, v := range l.table {
		if v.inSecrets() && (!isMongo || v.ofMongoDB()) {
			known = append(known, v.name)
		}
	}
	slices.Sort(known)
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if _, isKnown := slices.BinarySearch(known, key); isKnown {
			found.values[key] = members[key]
			continue
		}
		warning := fmt.Sprintf("%q in %s is not a setting that it can hold", key, found.source)
		if near := nearest(key, known); near != "" {
			warning += "; did you mean " + near + "?"
		}
		warnings = append(warnings, warning)
	}
	return found, warnings, nil
}

// plain is a secret of MongoDB that is no JSON: a connection string or a password.
func plain(text string) map[string]string {
	if connectionString.MatchString(text) {
		return map[string]string{"MONGO_URI": text}
	}
	return map[string]string{"MONGO_PASSWORD": text}
}

// textsOf reads a JSON object of plain values. The library's own errors are kept back because they quote the text.
func textsOf(id, text string) (map[string]string, error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal([]byte(text), &members); err != nil || members == nil {
		return nil, fmt.Errorf(`secret %s holds no JSON object that can be read: write it as {"NAME": "value"}, each name once`, id)
	}
	texts := make(map[string]string, len(members))
	for key, value := range members {
		switch value.Kind() {
		case jsontext.KindString:
			var s string
			if err := json.Unmarshal(value, &s); err != nil {
				return nil, fmt.Errorf("%q in secret %s can't be read: write it as a JSON string", key, id)
			}
			texts[key] = s
		case jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse:
			texts[key] = value.String()
		case jsontext.KindNull: // as if it were not there
		default:
			return nil, fmt.Errorf("%q in secret %s is a JSON %s: give text, a number, true or false", key, id, value.Kind())
		}
	}
	return texts, nil
}

// translate puts what rotations of DocumentDB and Atlas write into our names, unless those are there too, and takes out what
// they write for themselves.
func translate(members map[string]string) {
	for theirs, ours := range map[string]string{
		"username": "MONGO_USER", "password": "MONGO_PASSWORD", "host": "MONGO_HOST", "port": "MONGO_PORT",
		"dbname": "MONGO_DB", "ssl": "MONGO_TLS",
	} {
		value, there := members[theirs]
		delete(members, theirs)
		if _, given := members[ours]; there && !given {
			members[ours] = value
		}
	}
	for _, theirs := range []string{"engine", "masterarn", "dbClusterIdentifier", "dbInstanceIdentifier"} {
		delete(members, theirs)
	}
}

// keepHost takes the connection string of a secret away where somebody has said above it which host to use: a secret never
// overrides that.
func (l *loading) keepHost(layers []layer) {
	if l.values["MONGO_HOST"].value == "" {
		return
	}
	for _, secret := range layers {
		if _, there := secret.values["MONGO_URI"]; there {
			delete(secret.values, "MONGO_URI")
			l.warnings = append(l.warnings, fmt.Sprintf("MONGO_URI in %s is not used, as MONGO_HOST is set (%s)",
				secret.source, l.values["MONGO_HOST"].source))
		}
	}
}
