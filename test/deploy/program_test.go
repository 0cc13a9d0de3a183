package deploy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"order-processing-service/test/deploy"
)

// foreign are the variables that are not the service's own: those of the SDK, and of Go.
var foreign = []string{"AWS_REGION", "GOMEMLIMIT"}

// buildOrders builds the program, with the flags of make build, so that what that compiled is compiled once.
func buildOrders(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "orders")
	command := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", program, "./cmd/orders")
	command.Dir = "../.."
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return program
}

// What the files say to the program, the program must understand: it is given each set of settings, and each command.
func TestFilesSpeakToTheProgram(t *testing.T) {
	program := buildOrders(t)
	known := settings(t, program, nil)
	for name, set := range environments(t) {
		t.Run(name, func(t *testing.T) {
			if len(set) == 0 {
				t.Fatal("no variable was found")
			}
			if _, named := set["AWS_REGION"]; !named && set["EVENTS"] == "eventbridge" && name != "sam" { // Lambda sets it itself
				t.Error("the region of AWS is not named")
			}
			given := map[string]string{}
			for variable, value := range set {
				switch {
				case slices.Contains(foreign, variable):
				case !slices.Contains(known, variable):
					t.Errorf("%s is no setting", variable)
				case !strings.HasSuffix(variable, "_ID") && value != "": // no secret is read here
					given[variable] = value
				}
			}
			settings(t, program, given)
		})
	}
	for _, command := range []string{"serve", "worker", "healthcheck --live"} {
		args := append(strings.Fields(command), "--help")
		if output, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil || !strings.Contains(string(output), "orders "+args[0]) {
			t.Errorf("orders %s: %v\n%s", command, err, output)
		}
	}
}

// A filter of log lines counts a message that the program has, in the log of each function and task; else its alarm is deaf.
func TestFiltersKnowMessages(t *testing.T) {
	program, err := os.ReadFile(buildOrders(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, groups := range map[string]int{"sam": 1, "fargate": 2} {
		counted := map[string]bool{}
		for id, r := range readTemplate(t, name).Resources {
			if r.Type != "AWS::Logs::MetricFilter" {
				continue
			}
			pattern, _ := r.Properties["FilterPattern"].(string)
			message := strings.Trim(pattern, `"`)
			if message == "" || !bytes.Contains(program, []byte(message)) {
				t.Errorf("%s, %s: the program logs no %q", name, id, message)
			}
			counted[fmt.Sprint(r.Properties["LogGroupName"])] = true
		}
		if len(counted) != groups {
			t.Errorf("%s: filters look at %v, want %d groups of log lines", name, counted, groups)
		}
	}
}

// settings are the names of the program's settings. It is an error if the program refuses what it is given.
func settings(t *testing.T, program string, given map[string]string) []string {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, "config", "--output", "json")
	command.Dir = t.TempDir()
	command.Env = []string{}
	for name, value := range given {
		command.Env = append(command.Env, name+"="+value)
	}
	var complaint strings.Builder
	command.Stderr = &complaint
	output, err := command.Output()
	if err != nil {
		t.Fatalf("orders config with %v: %v\n%s", given, err, complaint.String())
	}
	var list struct {
		Settings []struct {
			Name string `json:"name"`
		} `json:"settings"`
	}
	if err := json.Unmarshal(output, &list); err != nil {
		t.Fatalf("%v in %s", err, output)
	}
	var names []string
	for _, s := range list.Settings {
		names = append(names, s.Name)
	}
	if !slices.Contains(names, "DATA_DIR") {
		t.Fatalf("the program's settings are %q", names)
	}
	return names
}

// environments are the variables that the files set, by where, each with its value, or "" if that is known only in AWS.
func environments(t *testing.T) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	sam, fargate := readTemplate(t, "sam"), readTemplate(t, "fargate")
	function, _ := deploy.Find(sam.Resources["OrdersFunction"].Properties, "Environment", "Variables").(map[string]any)
	all["sam"] = texts(t, sam, function)
	for _, task := range []string{"ServerTask", "WorkerTask"} {
		containers, _ := fargate.Resources[task].Properties["ContainerDefinitions"].([]any)
		variables, _ := deploy.Find(containers[0], "Environment").([]any)
		pairs := map[string]any{}
		for _, v := range variables {
			v = chosen(v)
			name, _ := deploy.Find(v, "Name").(string)
			pairs[name] = deploy.Find(v, "Value")
		}
		all["fargate/"+task] = texts(t, fargate, pairs)
	}
	if server, worker := all["fargate/ServerTask"], all["fargate/WorkerTask"]; !maps.Equal(server, worker) {
		t.Errorf("servers of Fargate are told %v, workers %v", server, worker)
	}
	for _, name := range overlays {
		all["kubernetes/"+name] = kubernetesEnvironment(t, "overlays/"+name)
	}
	all["compose"] = composeEnvironment(t)
	all["image"] = imageEnvironment(t)
	return all
}

func kubernetesEnvironment(t *testing.T, folder string) map[string]string {
	t.Helper()
	set := map[string]string{}
	objects := build(t, folder)
	for _, m := range deploy.All[corev1.ConfigMap](objects) {
		maps.Copy(set, m.Data)
	}
	for _, s := range deploy.All[corev1.Secret](objects) {
		for variable, value := range s.Data {
			set[variable] = string(value)
		}
	}
	for _, d := range deploy.All[appsv1.Deployment](objects) {
		for _, v := range d.Spec.Template.Spec.Containers[0].Env {
			if strings.HasPrefix(d.Name, "orders-") {
				set[v.Name] = v.Value
			}
		}
	}
	return set
}

// parameters are what somebody might give for the parameters of templates that have no default, or an empty one.
var parameters = map[string]string{
	"JwtIssuer": "https://id.example.com/", "JwtAudience": "orders", "JwtJwksUrl": "https://id.example.com/.well-known/jwks.json",
	"JwtCustomerClaim": "customer_id", "CorsAllowedOrigins": "https://shop.example,https://www.shop.example",
	"PublicSubnetCidrs": "10.0.0.0/20,10.0.16.0/20", "CollectorUrl": "http://127.0.0.1:4318",
}

// texts are values of a template with parameters in them.
func texts(t *testing.T, template deploy.Template, values map[string]any) map[string]string {
	t.Helper()
	set := map[string]string{}
	for name, value := range values {
		value = mapped(template, chosen(value))
		set[name], _ = value.(string)
		parameter, isRef := deploy.Find(value, "Ref").(string)
		if !isRef || template.Parameters[parameter] == nil {
			continue
		}
		given, ok := parameters[parameter]
		if !ok {
			given, _ = template.Parameters[parameter]["Default"].(string)
		}
		pattern, _ := template.Parameters[parameter]["AllowedPattern"].(string)
		if allowed, err := regexp.Compile(pattern); err != nil || ok && !allowed.MatchString(given) {
			t.Errorf("%s does not take %q: %v", parameter, given, err)
		}
		set[name] = given
	}
	return set
}

// chosen is what a template sets under a condition, if that holds.
func chosen(value any) any {
	if ways, ok := deploy.Find(value, "Fn::If").([]any); ok {
		return ways[1]
	}
	return value
}

// mapped is what a template looks up by the default of a parameter, if it looks up anything.
func mapped(template deploy.Template, value any) any {
	names, ok := deploy.Find(value, "Fn::FindInMap").([]any)
	if !ok {
		return value
	}
	mapping, _ := names[0].(string)
	parameter, _ := deploy.Find(names[1], "Ref").(string)
	row, _ := template.Parameters[parameter]["Default"].(string)
	column, _ := names[2].(string)
	return deploy.Find(template.Mappings, mapping, row, column)
}

func composeEnvironment(t *testing.T) map[string]string {
	t.Helper()
	var compose struct {
		Services map[string]struct{ Environment map[string]string }
	}
	if err := yaml.Unmarshal(read(t, "deploy/compose.yaml"), &compose); err != nil {
		t.Fatal(err)
	}
	return compose.Services["orders"].Environment
}

func imageEnvironment(t *testing.T) map[string]string {
	t.Helper()
	set := map[string]string{}
	for _, line := range regexp.MustCompile(`(?m)^ENV (.*)$`).FindAllSubmatch(read(t, "Dockerfile"), -1) {
		for pair := range strings.FieldsSeq(string(line[1])) {
			name, value, _ := strings.Cut(pair, "=")
			set[name] = value
		}
	}
	return set
}

// read is a file of the repository.
func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The port is that of the image, the paths of probes are in the API's own description, and the user is the image's.
func TestFilesKnowPortPathsAndUser(t *testing.T) {
	port := imageEnvironment(t)["PORT"]
	var api struct {
		Paths map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(read(t, "docs/openapi.json"), &api); err != nil {
		t.Fatal(err)
	}
	isPath := func(where, path string) {
		if api.Paths[path] == nil {
			t.Errorf("%s asks for %q, which the API does not have", where, path)
		}
	}
	isPort := func(where string, number any) {
		if fmt.Sprint(number) != port {
			t.Errorf("%s names port %v, the image listens on %s", where, number, port)
		}
	}

	fargate := readTemplate(t, "fargate").Resources
	isPath("target group", fmt.Sprint(fargate["TargetGroup"].Properties["HealthCheckPath"]))
	isPort("target group", fargate["TargetGroup"].Properties["Port"])
	isPort("load balancer's way out", fargate["LoadBalancerEgress"].Properties["ToPort"])
	server, _ := fargate["ServerTask"].Properties["ContainerDefinitions"].([]any)
	mappings, _ := deploy.Find(server[0], "PortMappings").([]any)
	isPort("server", deploy.Find(mappings[0], "ContainerPort"))
	route := strings.TrimPrefix(fmt.Sprint(readTemplate(t, "sam").Resources["ApiHealthRoute"].Properties["RouteKey"]), "GET ")
	isPath("open route", route)

	user := regexp.MustCompile(`(?m)^USER (\d+):`).FindSubmatch(read(t, "Dockerfile"))
	objects := build(t, "overlays/aws")
	for _, d := range deploy.All[appsv1.Deployment](objects) {
		if of := d.Spec.Template.Spec.SecurityContext.RunAsUser; of == nil || strconv.FormatInt(*of, 10) != string(user[1]) {
			t.Errorf("%s runs as another user than the image's, %s", d.Name, user[1])
		}
		c := d.Spec.Template.Spec.Containers[0]
		isPort(d.Name, c.Ports[0].ContainerPort)
		for _, probe := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
			isPath(d.Name, probe.HTTPGet.Path)
			if probe.HTTPGet.Port.StrVal != c.Ports[0].Name {
				t.Errorf("%s has no port %v", d.Name, probe.HTTPGet.Port)
			}
		}
	}
	for _, p := range deploy.All[networkingv1.NetworkPolicy](objects) {
		for _, rule := range p.Spec.Ingress {
			if p.Name != metricsPolicy { // which has a test of its own
				isPort(p.Name, rule.Ports[0].Port.IntVal)
			}
		}
	}
	for _, i := range deploy.All[networkingv1.Ingress](objects) {
		isPath("ingress "+i.Name, i.Annotations["alb.ingress.kubernetes.io/healthcheck-path"])
	}
}
