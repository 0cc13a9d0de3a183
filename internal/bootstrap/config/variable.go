package config

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Setting is one row of the table of settings, with the value in force.
type Setting struct {
	Name        string // the environment variable
	Value       string // as it was given; **** for a secret, and for what came from one, that is not empty
	Source      string // "default", "environment", ".env", "flag --port", "file PATH named by NAME_FILE", or "secret ID"
	Default     string // as in Value
	Allowed     string // what a right value is, in words that follow "give"
	Description string // one line
	Secret      bool   // whether Value must not be seen
}

// variable is one field of Config and what its tags say.
type variable struct {
	group, name, byDefault, allowed, description string

	field     int // index in Config
	keepEmpty bool
	secret    bool
	pattern   func() *regexp.Regexp // nil for none
	bounded   bool
	min, max  int64 // nanoseconds for a duration
}

// variables is the table as the tags of Config have it. It is read once and not changed. A pattern is made when a value is to match
// it: all of them take ten milliseconds and 3 MB.
var variables = sync.OnceValue(readTags) //nolint:gochecknoglobals // a constant that the language has no word for

// readTags panics on a tag that makes no sense, which a test of the table brings out.
func readTags() []variable {
	var all []variable
	group := ""
	for field := range reflect.TypeFor[Config]().Fields() {
		if !field.IsExported() {
			continue
		}
		group = cmp.Or(field.Tag.Get("group"), group)
		v := variable{
			group:       group,
			name:        field.Tag.Get("env"),
			byDefault:   field.Tag.Get("default"),
			allowed:     field.Tag.Get("allowed"),
			description: field.Tag.Get("desc"),
			field:       field.Index[0],
			keepEmpty:   field.Tag.Get("empty") == "keep",
			secret:      field.Type == reflect.TypeFor[Secret](),
		}
		if pattern := field.Tag.Get("pattern"); pattern != "" {
			v.pattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
		}
		if low, high := field.Tag.Get("min"), field.Tag.Get("max"); low != "" || high != "" {
			v.bounded = true
			v.min, v.max = bound(field, low), bound(field, high)
			v.allowed = fmt.Sprintf("a whole number from %s to %s", low, high)
			if field.Type == reflect.TypeFor[time.Duration]() {
				v.allowed = fmt.Sprintf("a duration from %s to %s", low, high)
			}
		}
		all = append(all, v)
	}
	return all
}

func bound(field reflect.StructField, text string) int64 {
	if field.Type == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(text)
		if err != nil {
			panic(fmt.Sprintf("bound of %s: %v", field.Name, err))
		}
		return int64(d)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("bound of %s: %v", field.Name, err))
	}
	return n
}

// accepts tells whether the parsed value lies within the variable's bounds and matches its pattern.
func (v variable) accepts(value reflect.Value) bool {
	switch {
	case v.bounded:
		return value.Int() >= v.min && value.Int() <= v.max
	case v.pattern != nil:
		text := value.String()
		return text == v.byDefault || v.pattern().MatchString(text)
	default:
		return true
	}
}

// inSecrets tells whether a secret may hold the variable: not, if it names secrets.
func (v variable) inSecrets() bool { return v.name != mongoSecretID && v.name != secretsID }

// ofMongoDB tells whether it may stand in the secret of MONGO_SECRET_ID, too.
func (v variable) ofMongoDB() bool { return v.inSecrets() && strings.HasPrefix(v.name, "MONGO_") }

// advice says what would be right.
func (v variable) advice() string {
	if v.byDefault == "" || v.secret {
		return "give " + v.allowed
	}
	return "give " + v.allowed + ", such as " + v.byDefault
}

// shown is the value as people may see it.
func (v variable) shown(g given) string {
	if (v.secret || g.secret) && g.value != "" {
		return mask
	}
	return string(g.value)
}

func (v variable) setting(g given) Setting {
	return Setting{
		Name:        v.name,
		Value:       v.shown(g),
		Source:      g.source,
		Default:     v.shown(given{value: Secret(v.byDefault)}),
		Allowed:     v.allowed,
		Description: v.description,
		Secret:      v.secret || g.secret,
	}
}

// signIn is who signs in, and with which password, in an address.
var signIn = regexp.MustCompile(`://[^/?#]*@`)

// quoted is NAME="value" on one line, of bounded length, without the sign-in of an address.
func (v variable) quoted(g given) string {
	const most = 80
	if v.secret || g.secret {
		return v.name + "=" + mask
	}
	value := signIn.ReplaceAllString(string(g.value), "://…@")
	if runes := []rune(value); len(runes) > most {
		value = string(runes[:most]) + "…"
	}
	return v.name + "=" + strconv.Quote(value)
}
