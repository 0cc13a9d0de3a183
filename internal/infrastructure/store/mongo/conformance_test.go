package mongo_test

import (
	"context"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/mongo"
	"order-processing-service/internal/infrastructure/store/storetest"
)

func TestConformance(t *testing.T) {
	server := needServer(t)
	storetest.Run(t, storetest.Harness{New: func(t *testing.T) storetest.Place {
		t.Helper()
		database := server.database(t)
		spoil := func(member string) func(order.ID) {
			return func(id order.ID) {
				update := bson.D{{Key: "$set", Value: bson.D{{Key: member, Value: "spoilt"}}}}
				if _, err := database.Collection(mongo.Collection).UpdateByID(t.Context(), bson.ObjectID(id), update); err != nil {
					t.Fatal(err)
				}
			}
		}
		return storetest.Place{
			Open: func(ctx context.Context) (storetest.Store, error) {
				return mongo.Open(ctx, mongo.Config{Client: options.Client().ApplyURI(server.uri), Database: database.Name()})
			},
			Damage: storetest.Damage{Order: spoil("lines"), Tracks: spoil("tracks")},
		}
	}})
}
