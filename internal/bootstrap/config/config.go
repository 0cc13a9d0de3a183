// Package config is the part of bootstrap that reads the service's settings.
//
// A setting is an environment variable. It is looked for in four places, and the first that has it decides:
//
//  1. the command line (only what a command offers as a flag),
//  2. the environment,
//  3. the .env file in the working directory,
//  4. the secrets that MONGO_SECRET_ID and SECRETS_ID name, in this order.
//
// In each of the first three NAME_FILE may stand instead of NAME; the value is then what the named file holds, without the line
// break at its end. A variable that is set but empty goes back to its default, so that an empty variable in the
// environment also switches off what the .env file says; the few variables for which empty means something say so.
//
// In a .env file a $ in a value that is unquoted or in double quotes begins a reference to an earlier line of the file;
// put such a value in single quotes.
//
// The tags of Config are the one table behind reading, checking, listing and documenting the settings.
package config

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Config holds every setting of the service, checked. Make one with Load; the zero Config is of no use. It is not
// changed after Load, so any number of goroutines may read it.
//
// Tags: group begins a part of the documentation, which goes on to the next field that has one; env is the variable; default
// its value when unset; min and max its bounds (both inclusive); pattern what text
// must match, and allowed how a person would say that; empty:"keep" marks text for which empty is a value and not the
// default; desc is one line for people.
type Config struct {
	Host string `group:"Address" env:"HOST" default:"127.0.0.1" allowed:"an IP address or host name without port" desc:"Address to listen on; 0.0.0.0 for every IPv4 address of the machine"`
	Port int    `env:"PORT" default:"8000" min:"0" max:"65535" desc:"TCP port to listen on; 0 for any free one"`

	TLSCertFile        string    `group:"Network" env:"TLS_CERT_FILE" allowed:"the path of a file" desc:"PEM file of the certificate, and those between it and its authority; switches TLS on. Read again when it changes"`
	TLSKeyFile         string    `env:"TLS_KEY_FILE" allowed:"the path of a file" desc:"PEM file of the certificate's private key"`
	TLSClientCAFile    string    `env:"TLS_CLIENT_CA_FILE" allowed:"the path of a file" desc:"PEM file of the authorities of client certificates; every client must then show one"`
	TrustedProxies     string    `env:"TRUSTED_PROXIES" allowed:"at most 100 IP addresses or networks such as 10.0.0.0/8, with commas between them and no spaces" desc:"Proxies whose Forwarded and X-Forwarded-* headers count. Default: nobody's"`
	CORSAllowedOrigins string    `env:"CORS_ALLOWED_ORIGINS" allowed:"* or at most 100 origins such as https://shop.example, with commas between them and no spaces" desc:"Web pages that may call the API from a browser, by their origin; * for all. Default: none but the service's own"`
	RateLimit          RateLimit `env:"RATE_LIMIT" allowed:"requests a second, minute or hour, and how many may come at once if not as many, such as 100/s, 600/m or 100/s:200" desc:"Requests that each caller may make; more are answered 429. Default: any number"`
	AdminAddr          string    `env:"ADMIN_ADDR" default:"127.0.0.1:9464" allowed:"an IP address with a port, or off" desc:"Address of metrics, health and profiles; off for none. Who reaches it is asked nothing: keep it from the public"`
	BasePath           string    `env:"BASE_PATH" pattern:"^/?[A-Za-z0-9._~-][A-Za-z0-9._~/-]{0,254}$" allowed:"a path of letters, digits and ._~-/ of at most 256 characters" desc:"In AWS Lambda: path under which a custom domain is mapped to the API; it is cut from the front of each request's path"`

	DataDir  string   `group:"Data, log and purpose" env:"DATA_DIR" default:"./data" allowed:"the path of a folder" desc:"Folder of the embedded store and of simulated AWS; made when missing"`
	LogLevel LogLevel `env:"LOG_LEVEL" default:"INFO" allowed:"one of DEBUG, INFO, WARNING, ERROR" desc:"Least severe log lines to write"`

	AppEnv     string `env:"APP_ENV" default:"development" pattern:"^(development|test|staging|production)$" allowed:"development, test, staging or production" desc:"What the service is run for; with production it does not start with settings that are only safe on a laptop"`
	TrustProxy bool   `env:"TRUST_PROXY" default:"false" allowed:"true or false" desc:"Whether a proxy that speaks TLS stands in front of the service, which nobody can go round"`
	LogSubject string `env:"LOG_SUBJECT" default:"plain" pattern:"^(plain|hash)$" allowed:"plain or hash" desc:"How log lines name who calls: as it is, or by the first 16 digits of its SHA-256"`

	Auth             string        `group:"Who calls" env:"AUTH" default:"none" pattern:"^(none|jwt|gateway|keys)$" allowed:"none, jwt, gateway or keys" desc:"Who may call: everybody, who has a token, whom API Gateway's authorizer lets in (in Lambda only), or who has an API key"`
	JWTIssuer        string        `env:"JWT_ISSUER" pattern:"^[^\\s]{1,512}$" allowed:"the issuer of tokens as their claim iss has it" desc:"Issuer of the tokens that are taken; needed with AUTH=jwt"`
	JWTAudience      string        `env:"JWT_AUDIENCE" pattern:"^[^\\s]{1,512}$" allowed:"the name of this service as the claim aud of tokens has it" desc:"Audience of the tokens that are taken; needed with AUTH=jwt"`
	JWTJWKSURL       string        `env:"JWT_JWKS_URL" allowed:"an https:// address, or an http:// one on the loopback interface, without user, password and #fragment" desc:"Where the identity provider publishes its keys (JWKS)"`
	JWTJWKSCAFile    string        `env:"JWT_JWKS_CA_FILE" allowed:"the path of a file" desc:"PEM file of the authorities that the provider's certificate is checked against. Default: those of the system"`
	JWTJWKSRefresh   time.Duration `env:"JWT_JWKS_REFRESH" default:"5m" min:"1s" max:"24h" desc:"Pause between two looks for new keys at JWT_JWKS_URL"`
	JWTJWKSFile      string        `env:"JWT_JWKS_FILE" allowed:"the path of a file" desc:"File with the keys that tokens are checked with (JWKS), instead of JWT_JWKS_URL; read again when it changes"`
	JWTPublicKeyFile string        `env:"JWT_PUBLIC_KEY_FILE" allowed:"the path of a file" desc:"PEM file with the public key that tokens are checked with, instead of JWT_JWKS_URL; read again when it changes"`
	JWTCustomerClaim string        `env:"JWT_CUSTOMER_CLAIM" pattern:"^[^\\s]{1,128}$" allowed:"the name of a claim" desc:"Claim with the customer whose orders alone a caller without orders:admin sees and makes; a token without it is refused"`
	APIKeysFile      string        `env:"API_KEYS_FILE" allowed:"the path of a file" desc:"JSON file of the API keys that are taken, as 'orders keys new' prints them; read again when it changes"`

	OrdersToken  Secret `group:"Calling a service" env:"ORDERS_TOKEN" allowed:"a token" desc:"Token that commands such as 'orders import --url' send to the service"`
	OrdersAPIKey Secret `env:"ORDERS_API_KEY" allowed:"an API key" desc:"API key that they send instead of a token"`

	DefaultCurrency string `group:"Orders" env:"DEFAULT_CURRENCY" default:"USD" pattern:"^[A-Z]{3}$" allowed:"an ISO 4217 currency code in capitals" desc:"Currency of an order that names none"`

	ShutdownTimeout   time.Duration `group:"Time" env:"SHUTDOWN_TIMEOUT" default:"15s" min:"100ms" max:"15m" desc:"How long a stop waits for work under way"`
	ReadHeaderTimeout time.Duration `env:"READ_HEADER_TIMEOUT" default:"5s" min:"100ms" max:"5m" desc:"How long a client may take to send a request's header"`
	ReadTimeout       time.Duration `env:"READ_TIMEOUT" default:"30s" min:"100ms" max:"15m" desc:"How long a client may take to send a whole request"`
	RequestTimeout    time.Duration `env:"REQUEST_TIMEOUT" default:"30s" min:"100ms" max:"14m" desc:"How long the service may work on one request"`
	WriteTimeout      time.Duration `env:"WRITE_TIMEOUT" default:"60s" min:"200ms" max:"15m" desc:"How long one request may take from its header to the end of its answer; must be longer than REQUEST_TIMEOUT"`
	IdleTimeout       time.Duration `env:"IDLE_TIMEOUT" default:"120s" min:"1s" max:"1h" desc:"How long an unused connection is kept open"`

	MaxBodyBytes          int64 `group:"Limits" env:"MAX_BODY_BYTES" default:"1048576" min:"1024" max:"67108864" desc:"Largest request body, in bytes"`
	MaxBatchBodyBytes     int64 `env:"MAX_BATCH_BODY_BYTES" default:"8388608" min:"1024" max:"268435456" desc:"Largest body of a batch of orders, in bytes"`
	MaxInFlightBytes      int64 `env:"MAX_IN_FLIGHT_BYTES" default:"268435456" min:"65536" max:"17179869184" desc:"Bytes of request bodies held at the same time; more are answered 503"`
	MaxConcurrentRequests int   `env:"MAX_CONCURRENT_REQUESTS" default:"256" min:"1" max:"100000" desc:"Requests worked on at the same time; exports and batches may be an eighth of them each"`
	MaxQueuedRequests     int   `env:"MAX_QUEUED_REQUESTS" default:"2048" min:"0" max:"100000" desc:"Requests that wait while so many are worked on; more are answered 503 at once"`
	MaxConnections        int   `env:"MAX_CONNECTIONS" default:"10000" min:"1" max:"1000000" desc:"Connections at the same time; a new one takes the place of the longest idle, and is closed if none is idle"`

	MaxConnectionsPerAddress int `env:"MAX_CONNECTIONS_PER_ADDRESS" default:"2500" min:"0" max:"1000000" desc:"The same for one address, or one IPv6 network of /64; 0 for any number. TRUSTED_PROXIES do not count"`

	QueueTimeout time.Duration `env:"QUEUE_TIMEOUT" default:"1s" min:"10ms" max:"1m" desc:"How long a request waits at most before it is answered 503; a third of it while the queue does not empty"`

	StoreQueueSize int `env:"STORE_QUEUE_SIZE" default:"4096" min:"1" max:"1000000" desc:"Writes that may wait for the embedded store; more are answered 503"`

	DeliveryLease        time.Duration `group:"Telling" env:"DELIVERY_LEASE" default:"30s" min:"1s" max:"15m" desc:"How long a process keeps an order to itself while it tells the order's events"`
	DeliveryPollInterval time.Duration `env:"DELIVERY_POLL_INTERVAL" default:"1s" min:"10ms" max:"10m" desc:"Pause between two looks for events that a dead process left untold"`
	DeliveryMaxAttempts  int           `env:"DELIVERY_MAX_ATTEMPTS" default:"10" min:"1" max:"1000" desc:"Tries of one event at one subscriber before it is parked"`
	DeliveryBackoffMin   time.Duration `env:"DELIVERY_BACKOFF_MIN" default:"1s" min:"1ms" max:"1h" desc:"Pause after the first failed try; it doubles with each further one"`
	DeliveryBackoffMax   time.Duration `env:"DELIVERY_BACKOFF_MAX" default:"5m" min:"1ms" max:"24h" desc:"Longest pause between two tries"`
	DeliveryWorkers      int           `env:"DELIVERY_WORKERS" default:"4" min:"1" max:"256" desc:"Orders told to one subscriber at the same time"`

	Events             string `group:"Events and manifests" env:"EVENTS" default:"simulated" pattern:"^(simulated|eventbridge|sqs|none)$" allowed:"simulated, eventbridge, sqs or none" desc:"Where events go: to an EventBridge bus, to an SQS queue, or simulated, which writes to the log what EventBridge would get"`
	EventBusName       string `env:"EVENT_BUS_NAME" default:"orders-bus" pattern:"^[A-Za-z0-9._/:-]{1,256}$" allowed:"the name or the ARN of a bus, at most 256 characters" desc:"EventBridge bus that events go to"`
	EventsQueueURL     string `env:"EVENTS_QUEUE_URL" pattern:"^https?://[^\\s]{1,512}$" allowed:"the URL of an SQS queue" desc:"SQS queue that events go to with EVENTS=sqs, standard or FIFO"`
	Manifests          string `env:"MANIFESTS" default:"simulated" pattern:"^(simulated|s3|none)$" allowed:"simulated, s3 or none" desc:"Where manifests go: to an S3 bucket, or simulated, which keeps them as files under DATA_DIR/s3"`
	ManifestBucket     string `env:"MANIFEST_BUCKET" default:"orders-manifest" pattern:"^[a-z0-9]([a-z0-9-]|[.][a-z0-9]){1,61}[a-z0-9]$" allowed:"3 to 63 lower-case letters, digits, dots or hyphens" desc:"S3 bucket that manifests go to"`
	ManifestEncryption string `env:"MANIFEST_ENCRYPTION" pattern:"^(AES256|aws:kms|aws:kms:dsse)$" allowed:"AES256, aws:kms or aws:kms:dsse" desc:"Server-side encryption to ask S3 for. Default: what the bucket does"`
	ManifestKMSKeyID   string `env:"MANIFEST_KMS_KEY_ID" pattern:"^[A-Za-z0-9:/_-]{1,1000}$" allowed:"the id, alias or ARN of a KMS key" desc:"KMS key to encrypt manifests with; needs MANIFEST_ENCRYPTION=aws:kms or aws:kms:dsse"`

	CommandsQueueURL           string        `group:"Commands from a queue" env:"COMMANDS_QUEUE_URL" pattern:"^https?://[^\\s]{1,512}$" allowed:"the URL of an SQS queue" desc:"SQS queue that 'orders worker' takes commands from, standard or FIFO"`
	CommandsDeadLetterQueueURL string        `env:"COMMANDS_DEAD_LETTER_QUEUE_URL" pattern:"^https?://[^\\s]{1,512}$" allowed:"the URL of an SQS queue" desc:"SQS queue that commands go to which can't be applied. Default: that of the redrive policy of COMMANDS_QUEUE_URL"`
	CommandsConcurrency        int           `env:"COMMANDS_CONCURRENCY" default:"10" min:"1" max:"1000" desc:"Commands worked on at the same time"`
	CommandsVisibility         time.Duration `env:"COMMANDS_VISIBILITY" default:"30s" min:"2s" max:"1h" desc:"How long a command that is worked on is kept from other readers; it is extended while the work goes on"`
	CommandsEarlyFor           time.Duration `env:"COMMANDS_EARLY_FOR" default:"1h" min:"1s" max:"336h" desc:"How old a command that is ahead of its order must be before it is given up"`
	CommandsEarlyReceives      int           `env:"COMMANDS_EARLY_RECEIVES" default:"10" min:"1" max:"1000" desc:"How often a command that is ahead of its order must have come before it is given up"`

	OTelServiceName        string `group:"Metrics and traces" env:"OTEL_SERVICE_NAME" pattern:"^[^\\s,=]{1,128}$" allowed:"a name of at most 128 characters without spaces, commas and =" desc:"Name of the service in metrics and traces. Default: service.name of OTEL_RESOURCE_ATTRIBUTES, else order-processing-service"`
	OTelResourceAttributes string `env:"OTEL_RESOURCE_ATTRIBUTES" allowed:"at most 100 pairs such as deployment.environment.name=production, with commas between them" desc:"What else metrics and traces say of the service"`
	OTelEndpoint           string `env:"OTEL_EXPORTER_OTLP_ENDPOINT" allowed:"the http:// or https:// address of a collector, such as http://127.0.0.1:4318" desc:"OpenTelemetry collector that metrics and traces are sent to. Default: none"`
	OTelProtocol           string `env:"OTEL_EXPORTER_OTLP_PROTOCOL" default:"http/protobuf" pattern:"^(http/protobuf|grpc)$" allowed:"http/protobuf or grpc" desc:"How to speak with the collector"`
	OTelHeaders            Secret `env:"OTEL_EXPORTER_OTLP_HEADERS" allowed:"at most 100 pairs such as api-key=secret, with commas between them" desc:"Headers that the collector asks for"`
	OTelCertificate        string `env:"OTEL_EXPORTER_OTLP_CERTIFICATE" allowed:"the path of a file" desc:"PEM file of the authorities that the collector's certificate is checked against. Default: those of the system"`
	OTelMetrics            string `env:"OTEL_METRICS_EXPORTER" default:"otlp" pattern:"^(otlp|none)$" allowed:"otlp or none" desc:"Whether metrics are sent to the collector, if there is one; /metrics is served either way"`
	OTelMetricInterval     int    `env:"OTEL_METRIC_EXPORT_INTERVAL" default:"60000" min:"100" max:"86400000" desc:"Pause between two sends of metrics, in milliseconds"`
	MetricsEMF             string `env:"METRICS_EMF" default:"auto" pattern:"^(auto|off)$" allowed:"auto or off" desc:"Whether metrics are written to the log for CloudWatch (Embedded Metric Format): auto does so in AWS Lambda only"`
	MetricsEMFNamespace    string `env:"METRICS_EMF_NAMESPACE" default:"OrderProcessing" pattern:"^[A-Za-z0-9._/#-]{1,255}$" allowed:"at most 255 letters, digits and ._/#-" desc:"Namespace that CloudWatch keeps them in; not one that begins with AWS/"`

	OTelTraces      string `env:"OTEL_TRACES_EXPORTER" default:"otlp" pattern:"^(otlp|none)$" allowed:"otlp or none" desc:"Whether traces are sent to the collector, if there is one"`
	OTelSampler     string `env:"OTEL_TRACES_SAMPLER" default:"parentbased_always_on" pattern:"^(parentbased_)?(always_on|always_off|traceidratio)$" allowed:"always_on, always_off, traceidratio, or one of these after parentbased_" desc:"Which traces are recorded; with parentbased_ those that the caller records too, and the rule behind it is for others"`
	OTelSamplerArg  string `env:"OTEL_TRACES_SAMPLER_ARG" pattern:"^(0|1|1[.]0{1,9}|0?[.][0-9]{1,9})$" allowed:"a number from 0 to 1 such as 0.05" desc:"Part of the traces that traceidratio records. Default: all of them"`
	OTelPropagators string `env:"OTEL_PROPAGATORS" default:"tracecontext,xray" pattern:"^(none|(tracecontext|baggage|xray)(,(tracecontext|baggage|xray)){0,5})$" allowed:"tracecontext, xray or both with a comma between them, or none" desc:"Headers by which callers say which trace a request is part of: traceparent (W3C) and X-Amzn-Trace-Id (AWS X-Ray); baggage is not read"`

	MongoURI           Secret        `group:"MongoDB" env:"MONGO_URI" allowed:"a MongoDB connection string that begins with mongodb:// or mongodb+srv://" desc:"MongoDB connection string; wins over MONGO_HOST, MONGO_PORT and the sign-in, and over MONGO_DB if it names a database"`
	MongoHost          string        `env:"MONGO_HOST" allowed:"an IP address or host name without port" desc:"MongoDB host; with neither this nor MONGO_URI orders are kept in the embedded store"`
	MongoPort          int           `env:"MONGO_PORT" default:"27017" min:"1" max:"65535" desc:"MongoDB port"`
	MongoDB            string        `env:"MONGO_DB" default:"orders_db" pattern:"^[^/\\\\. \"$*<>:|?\\x00]{1,63}$" allowed:"a database name of at most 63 characters, without any of /\\. \"$*<>:|?" desc:"MongoDB database"`
	MongoUser          string        `env:"MONGO_USER" default:"root" empty:"keep" allowed:"a user name, or empty for no sign-in" desc:"MongoDB user; empty for no sign-in"`
	MongoPassword      Secret        `env:"MONGO_PASSWORD" default:"secret" empty:"keep" allowed:"text" desc:"MongoDB password"`
	MongoAuthSource    string        `env:"MONGO_AUTH_SOURCE" default:"admin" allowed:"a database name" desc:"MongoDB database that knows the user"`
	MongoTLS           bool          `env:"MONGO_TLS" default:"false" allowed:"true or false" desc:"Whether to speak TLS with MongoDB"`
	MongoTLSCAFile     string        `env:"MONGO_TLS_CA_FILE" allowed:"the path of a file" desc:"PEM file of the authorities that MongoDB's certificate is checked against; switches TLS on. Default: those of the system"`
	MongoTimeout       time.Duration `env:"MONGO_TIMEOUT" default:"10s" min:"100ms" max:"5m" desc:"How long one call of MongoDB may take, with all that is tried again within it"`
	MongoMaxPoolSize   int           `env:"MONGO_MAX_POOL_SIZE" default:"100" min:"1" max:"10000" desc:"Connections to each MongoDB server at the same time"`
	MongoCreateIndexes bool          `env:"MONGO_CREATE_INDEXES" default:"true" allowed:"true or false" desc:"Whether to make the indexes that are missing at the start; 'orders mongo indexes' prints them"`

	MongoSecretID  string        `group:"Secrets" env:"MONGO_SECRET_ID" pattern:"^[A-Za-z0-9/_+=.@:-]{1,1000}$" allowed:"the name or the ARN of a secret" desc:"Secret in AWS Secrets Manager that says what MONGO_ variables do, or what rotations write: username, password, host, port"`
	SecretsID      string        `env:"SECRETS_ID" allowed:"the names or the ARNs of at most 10 secrets, with commas between them and no spaces" desc:"Secrets in AWS Secrets Manager, each a JSON object whose keys are variables of this table"`
	SecretsRefresh time.Duration `env:"SECRETS_REFRESH" default:"5m" min:"0s" max:"24h" desc:"Pause between two looks for changed secrets, and for changed files that NAME_FILE names; 0s for none. They are read again, too, when MongoDB refuses the sign-in"`

	settings []Setting
	warnings []string
	// Values are behind functions, where no way of printing a Config finds them.
	text   func(name string) given
	reload func(read Secrets) (*Config, error)
}

// Settings lists every setting with the value in force and where it came from, in the order of Config's fields.
func (c *Config) Settings() []Setting { return slices.Clone(c.settings) }

// Warnings lists, a line each, what looks wrong without being forbidden: names in the .env file that differ from a
// known one by a slip of the finger, and keys of secrets that are no settings.
func (c *Config) Warnings() []string { return slices.Clone(c.warnings) }

// UsesMongoDB tells whether orders are kept in MongoDB; else they are kept in the embedded store.
func (c *Config) UsesMongoDB() bool { return c.MongoURI != "" || c.MongoHost != "" }

// UsesTLS tells whether the service speaks TLS.
func (c *Config) UsesTLS() bool { return c.TLSCertFile != "" }

// Address is HOST and PORT in the form that net.Listen takes.
func (c *Config) Address() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

// URL is where a program on this machine reaches the service, given the port that it listens on; this is not PORT when
// PORT is 0. A service that listens on every address is reached on the loopback one, one with a certificate by https.
func (c *Config) URL(port int) string {
	host := c.Host
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.To4() == nil {
			host = "::1"
		}
	}
	scheme := "http"
	if c.UsesTLS() {
		scheme = "https"
	}
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(host, strconv.Itoa(port))}
	return u.String()
}
