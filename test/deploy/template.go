// Package deploy holds the deployment files to what they promise: that they can be read strictly, name settings, ports and
// paths that the program has, allow no more than is needed, and run nothing with rights that it does not need.
//
// It is a module of its own, so that the types of Kubernetes do not meet the program's libraries.
package deploy

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is a CloudFormation template. Its functions stand in their long form: {"Ref": …}, {"Fn::Sub": …}.
type Template struct {
	Parameters map[string]map[string]any
	Mappings   map[string]any
	Resources  map[string]Resource
	Rules      map[string]any
	Outputs    map[string]any
}

// Resource is one resource of a template.
type Resource struct {
	Type       string
	Properties map[string]any
	Whole      map[string]any // with what stands beside the properties
}

// ReadTemplate reads a template. A name that stands twice in one place is an error.
func ReadTemplate(path string) (Template, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Template{}, fmt.Errorf("read template: %w", err)
	}
	t, err := ParseTemplate(text)
	if err != nil {
		return Template{}, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// ParseTemplate reads the text of a template as ReadTemplate does.
func ParseTemplate(text []byte) (Template, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return Template{}, fmt.Errorf("read YAML: %w", err)
	}
	if len(document.Content) == 0 {
		return Template{}, errors.New("the template is empty")
	}
	value, err := plain(document.Content[0])
	if err != nil {
		return Template{}, err
	}
	t := Template{Parameters: map[string]map[string]any{}, Resources: map[string]Resource{}}
	for name, parameter := range members(Find(value, "Parameters")) {
		t.Parameters[name], _ = parameter.(map[string]any)
	}
	t.Mappings, _ = Find(value, "Mappings").(map[string]any)
	t.Rules, _ = Find(value, "Rules").(map[string]any)
	t.Outputs, _ = Find(value, "Outputs").(map[string]any)
	for name, resource := range members(Find(value, "Resources")) {
		whole, _ := resource.(map[string]any)
		kind, _ := Find(resource, "Type").(string)
		properties, _ := Find(resource, "Properties").(map[string]any)
		t.Resources[name] = Resource{Type: kind, Properties: properties, Whole: whole}
	}
	return t, nil
}

// plain is a node as maps, slices and scalars, without tags.
func plain(n *yaml.Node) (any, error) {
	value, err := untagged(n)
	if err != nil {
		return nil, err
	}
	tag, isFunction := strings.CutPrefix(n.Tag, "!")
	switch {
	case !isFunction || strings.HasPrefix(tag, "!"):
		return value, nil
	case tag == "Ref" || tag == "Condition":
		return map[string]any{tag: value}, nil
	default:
		return map[string]any{"Fn::" + tag: value}, nil
	}
}

func untagged(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i < len(n.Content); i += 2 {
			name := n.Content[i].Value
			if _, twice := m[name]; twice {
				return nil, fmt.Errorf("line %d: %s stands here twice", n.Content[i].Line, name)
			}
			value, err := plain(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[name] = value
		}
		return m, nil
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			value, err := plain(item)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case yaml.ScalarNode:
		return n.Value, nil
	case yaml.DocumentNode, yaml.AliasNode:
	}
	return nil, fmt.Errorf("line %d: CloudFormation takes no aliases", n.Line)
}

// Find is what is found by going down by the names; nil if there is nothing.
func Find(value any, names ...string) any {
	for _, name := range names {
		m, _ := value.(map[string]any)
		value = m[name]
	}
	return value
}

// members are the members of a map, in the order of their names; none of anything else.
func members(value any) iter.Seq2[string, any] {
	m, _ := value.(map[string]any)
	return func(yield func(string, any) bool) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !yield(name, m[name]) {
				return
			}
		}
	}
}

// list is a value as a list: itself, or what is in it.
func list(value any) []any {
	if several, ok := value.([]any); ok {
		return several
	}
	if value == nil {
		return nil
	}
	return []any{value}
}

// Walk tells a value and all that is in it, each with its path.
func Walk(value any, path string, see func(path string, value any)) {
	see(path, value)
	for name, member := range members(value) {
		Walk(member, path+"."+name, see)
	}
	if several, ok := value.([]any); ok {
		for i, item := range several {
			Walk(item, path+"["+strconv.Itoa(i)+"]", see)
		}
	}
}
