package config

// Row is what the table of settings says of one, whatever its value in force.
type Row struct {
	Group       string // the part of the documentation that it stands in
	Name        string // the environment variable
	Default     string // its value when unset; of a secret too, as everybody knows it
	Allowed     string // what a right value is, in words that follow "give"
	Description string // one line
	Secret      bool   // whether its value is never shown
	Empty       bool   // whether empty is a value, and not the default
	InSecrets   bool   // whether a secret of SECRETS_ID may hold it
	OfMongoDB   bool   // whether the secret of MONGO_SECRET_ID may
}

// Table lists every setting, in the order of Config's fields.
func Table() []Row {
	var rows []Row
	for _, v := range variables() {
		rows = append(rows, Row{
			Group: v.group, Name: v.name, Default: v.byDefault, Allowed: v.allowed, Description: v.description,
			Secret: v.secret, Empty: v.keepEmpty,
			InSecrets: v.inSecrets(), OfMongoDB: v.ofMongoDB(),
		})
	}
	return rows
}
