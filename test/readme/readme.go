// Package readme holds the words to the program: it runs the commands of README.md and compares what they print, and
// checks the tables of settings, the Spanish translation and the links of every page.
package readme
