package mongo_test

import (
	"context"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/mongo"
	"order-processing-service/internal/infrastructure/store/storetest"
	"order-processing-service/test/mongodb"
)

func TestConformance(t *testing.T) {
	server := mongodb.Need(t)
	storetest.Run(t, storetest.Harness{New: func(t *testing.T) storetest.Place {
		t.Helper()
		database := server.Database(t)
		network, uri := server.Proxied(t)
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
				store, err := mongo.Open(ctx, mongo.Config{
					Client: options.Client().ApplyURI(uri), Database: database.Name(), Timeout: 5 * time.Second, MustBeThere: true,
				})
				if err != nil {
					return nil, err
				}
				// Nothing is due by the zero time; but a store that has not heard the server's clock in time reads it now, and
				// claims nothing meanwhile.
				_, err = store.Claim(ctx, delivery.Claim{Owner: "nobody", Limit: 1})
				return store, err
			},
			Cut: func() (heal func()) {
				network.Cut()
				return network.Heal
			},
			Damage: storetest.Damage{Order: spoil("lines"), Tracks: spoil("tracks")},
		}
	}})
}
